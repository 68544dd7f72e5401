"""The heads beside the polarity: emotion, irony, offence."""

from sentiment.heads import HeadScores


def test_a_text_that_no_head_reads_has_no_scores() -> None:
    assert HeadScores() == HeadScores(emotion=None, p_emotion={}, irony=None, offensive=None)
