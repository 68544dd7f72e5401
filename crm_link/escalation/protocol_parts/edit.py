"""Editing a protocol's file from the console: checked first, whole or not at all.

The file on disk stays the one truth. An edit names the state that it began with; where the file
is another one by now, by a colleague or in an editor, it is refused.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.errors import ConflictError, InputError
from config.held_file import HeldFile, not_written
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.file import MAX_FILE_BYTES, parse_protocol


@dataclass(frozen=True, slots=True)
class ProtocolText:
    """What stands in a file, and the digest that an edit of it has to name."""

    text: str
    digest: str


def read_text(path: Path) -> ProtocolText:
    """Return what stands in a protocol's file, whether it is whole or not.

    Raises:
        InputError: It cannot be read, or is no text.

    """
    content = _read(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            "%(name)s, line %(line)s: this is not UTF-8; save the file as UTF-8",
            name=path.name,
            line=line,
        ) from error
    return ProtocolText(text.replace("\r\n", "\n"), _digest(content))


def check_text(path: Path, text: str, *, base: str) -> EscalationProtocol:
    """Return the protocol that a text says, if it may take the place of the file.

    Raises:
        InputError: It would be refused; every problem has its line.
        ConflictError: The file is not the one any more that the edit began with, or the text
            says the same.

    """
    content = _read(path)
    if _digest(content) != base:
        raise ConflictError(
            "%(name)s was changed by somebody else since you opened it: your text "
            "is still here; copy it, open the page again and put your changes into "
            "the new file",
            name=path.name,
        )
    protocol = parse_protocol(text, path.name)
    if _in_style_of(content, text) == content:
        raise ConflictError("%(name)s says exactly this already", name=path.name)
    return protocol


def write_text(held: HeldFile, text: str, *, base: str) -> None:
    """Put a checked text in the place of the file, whole or not at all.

    Line ends and rights stay as they are. A link to a file stays a link.

    Raises:
        ConflictError: The file changed meanwhile.
        InputError: The file cannot be written.

    """
    check_text(held.path, text, base=base)
    real = held.path.resolve()
    try:
        _replace(real, _in_style_of(_read(real), text))
    except OSError as error:
        raise not_written(held.path, error) from error


def _replace(real: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(real, made)
        made.replace(real)
    finally:
        made.unlink(missing_ok=True)


def _in_style_of(content: bytes, text: str) -> bytes:
    """Return a text as bytes with the line ends that the file has; forms send others."""
    plain = text.replace("\r\n", "\n").rstrip("\n") + "\n"
    return (plain.replace("\n", "\r\n") if b"\r\n" in content else plain).encode()


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(
                "%(path)s has more than %(max_file_bytes)s bytes; this is no protocol",
                path=path,
                max_file_bytes=f"{MAX_FILE_BYTES:,}",
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            "%(path)s cannot be read: %(strerror)s", path=path, strerror=error.strerror
        ) from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
