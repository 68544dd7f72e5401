"""Made-up messages to customer care: complaints without a word of feeling, questions, thanks.

Public sets of tweets have few of them, and brands get little else: "two hours on hold" is a
complaint although no word of it is negative, and "thanks for losing my order" is no thanks.
All texts are ours. None is about airlines, which is the domain we measure transfer on.
"""

import re
from collections.abc import Iterator

import numpy as np

_PARTS = {
    "thing": (
        "order|parcel|router|phone|subscription|refund|invoice|card|account|laptop|sofa|washing "
        "machine|package|upgrade|warranty claim|gift card|delivery|password reset|broadband|"
        "contract|bill|ticket|app|console|headset|fridge|payment|deposit|loyalty points|meter|"
        "prescription|mattress|coffee machine|replacement|tv|bike|rental|reservation|room"
    ),
    "channel": "hotline|chat|support line|help desk|website|app|call centre|email support|bot",
    "place": "store|branch|desk|shop|warehouse|counter|service centre|garage|hotel|depot",
    "time": (
        "20 minutes|45 min|an hour|2 hours|over 2 hrs|3 hours|4 days|two days|a week|10 days|"
        "three weeks|a month|6 weeks|90 minutes|all day|the whole morning"
    ),
    "when": "today|yesterday|tomorrow|on Monday|last Friday|this morning|by 5pm|next week|tonight",
    "fails": (
        "crashed|broke|stopped working|was cancelled|got lost|is delayed|won't load|froze|"
        "was declined|has disappeared|arrived damaged|is still missing|does not work|went down"
    ),
    "money": "$25|$60|$150|£9.99|€40|200 dollars|$300|£75",
    "times": "second|third|fourth|5th",
    "name": "Sarah|Mike|Priya|Tom|Angela|your agent|the guy|the lady|Carlos|the team",
    "start": "@user |@user @user |hey @user |@user hi, |hi @user |@user so |@user |",
    "end": "|||.|!|!!| http| #fail| #customerservice|...|?!",
    "calm": "|||.|?| http| thanks| please",
    "glad": "|!|!!|.| :)| #happy| 👍| http",
}

_NEGATIVE = (
    "{start}been on hold for {time}{end}",
    "{start}{time} on hold and nobody picks up{end}",
    "{start}still no {thing} after {time}{end}",
    "{start}my {thing} was due {when} and it is still not here{end}",
    "{start}{times} time this month that my {thing} {fails}{end}",
    "{start}your {channel} hung up on me after {time}{end}",
    "{start}your {channel} keeps sending me in circles. {time} now{end}",
    "{start}you charged me {money} twice for one {thing}{end}",
    "{start}now I have to pay {money} because your {thing} {fails}{end}",
    "{start}nobody at the {place} knows where my {thing} is{end}",
    "{start}my {thing} {fails} again{end}",
    "{start}is anyone going to answer? I wrote {time} ago about my {thing}{end}",
    "{start}why does it take {time} to get a {thing}{end}",
    "{start}how is it possible that my {thing} {fails} and no one tells me{end}",
    "{start}waited {time} at the {place}, then they sent me home without my {thing}{end}",
    "{start}first the {thing} {fails}, now the {channel} is down{end}",
    "{start}they told me {when}, then {when}, now nobody knows. where is my {thing}{end}",
    "{start}one person at the {place} and 30 people waiting{end}",
    "{start}thanks for losing my {thing}{end}",
    "{start}great, my {thing} {fails} again. love it{end}",
    "{start}thanks to you I have been without a {thing} for {time}{end}",
    "{start}awesome, {time} and still no {thing}. well done{end}",
    "{start}will not be using you again after this {thing}{end}",
    "{start}I want my {money} back, the {thing} {fails}{end}",
    "{start}cancelling my {thing}. {time} without an answer{end}",
    "{start}your {channel} says my {thing} does not exist{end}",
    "{start}the {place} refuses to take back a {thing} that {fails}{end}",
    "{start}please just fix the {thing}, it has been {time}{end}",
    "{start}can someone explain why my {thing} {fails} after {time}{end}",
    "{start}tried calling {times} time, got a busy signal and then nothing{end}",
    "{start}your {channel} says high volume, goodbye, and then it hangs up{end}",
    "{start}I left my {thing} at the {place}, keep calling, no one answers. please help{end}",
    "{start}no one is coming to the {place}. waiting for {time}{end}",
    "{start}have been trying to talk to a human for {time} about my {thing}{end}",
    "{start}it has now been {time} since I asked for my {money}{end}",
    "{start}{time} late and counting. can you help with my {thing}{end}",
    "{start}{times} delay of my {thing}. giving up{end}",
    "{start}a {money} voucher for {time} of waiting. wow. customer service{end}",
    "{start}right on cue, my {thing} {fails}{end}",
    "{start}really glad I spent {time} on your {channel} just to be cut off{end}",
    "{start}thank you for leaving my mum without a {thing} for {time}. never again{end}",
    "{start}thanks for that, very helpful. {time} and my {thing} {fails}{end}",
    "{start}oh good, the {thing} {fails}. what a surprise{end}",
    "{start}sent you a DM {time} ago, no reply. the {thing} {fails}{end}",
    "{start}I did, {time} ago. still no {thing}{end}",
    "{start}no you did not. the {thing} {fails}{end}",
    "{start}do you people ever answer{end}",
    "{start}what is going on with the {thing}? {time} and no news{end}",
    "{start}there is nobody at the {place}. it opens at 9, it is 10 now{end}",
    "{start}{name} at the {place} rolled her eyes at me and walked off{end}",
    "{start}would be nice if someone told us why the {thing} {fails}{end}",
    "{start}sat in the {place} for {time} because the {thing} {fails}{end}",
    "{start}now I will miss my meeting because of your {thing}{end}",
    "{start}how about you fix the {channel} before selling more{end}",
    "{start}been a customer for years, but {time} for a {thing} is a joke{end}",
    "{start}need my {thing} back. {times} call, {times} story{end}",
)
_NEUTRAL = (
    "{start}what time does the {place} open {when}{calm}",
    "{start}do you deliver {when}{calm}",
    "{start}how do I change the address of my {thing}{calm}",
    "{start}can I pay for the {thing} at the {place}{calm}",
    "{start}is the {thing} still {money}{calm}",
    "{start}just sent you a DM about my {thing}{calm}",
    "{start}I followed you, will send the number of my {thing}{calm}",
    "{start}what is the number of your {channel}{calm}",
    "{start}does the {thing} come with a charger{calm}",
    "{start}picking up my {thing} at the {place} {when}{calm}",
    "{start}the {thing} will be out {when}{calm}",
    "{start}do I need a {thing} for the {place}{calm}",
    "{start}it's the one at the {place}, ordered {when}{calm}",
    "{start}any chance of a {thing} {when}{calm}",
    "{start}can I have two people on one {thing}{calm}",
    "{start}where can I find the {thing} in the {channel}{calm}",
    "{start}yes, {when}. I wrote it in the {channel}{calm}",
    "{start}could you check my {thing}? number is in the DM{calm}",
    "{start}can I get a {thing} if mine is from last year{calm}",
    "{start}will the {thing} be there {when}{calm}",
    "{start}how much is a {thing} for two{calm}",
    "{start}is there a {place} near the station{calm}",
    "{start}who do I ask about a {thing}{calm}",
    "{start}are you still hiring at the {place}{calm}",
    "{start}{name} told me to write here about a {thing}{calm}",
    "{start}trying the {thing} {when}{calm}",
    "{start}ok, sent it to your {channel}{calm}",
)
_POSITIVE = (
    "{start}thanks for the quick answer about my {thing}{glad}",
    "{start}{name} at the {place} sorted out my {thing} in minutes{glad}",
    "{start}shout out to {name} on the {channel}, problem solved{glad}",
    "{start}my {thing} came a day early{glad}",
    "{start}got my {thing} back {when}, thank you{glad}",
    "{start}thank you, the new {thing} works{glad}",
    "{start}{name} went out of the way to help with my {thing}{glad}",
    "{start}easiest {thing} ever{glad}",
    "{start}just got my {thing}, exactly what I wanted{glad}",
    "{start}appreciate the help {when}{glad}",
    "{start}you guys rock, {thing} fixed{glad}",
    "{start}never had a problem with you in years{glad}",
    "{start}thanks! got it, {name} was great{glad}",
    "{start}that was fast, {thing} is here{glad}",
    "{start}best {place} in town{glad}",
    "{start}thank you for finding my {thing}{glad}",
    "{start}{name} made my day at the {place}{glad}",
    "{start}will come back to the {place}{glad}",
    "{start}well done on the new {channel}{glad}",
    "{start}you saved me, {thing} back in {time}{glad}",
)

#: Made-up names that half of the messages are to, so that complaints count toward the brand.
BRANDS = (
    "Acme",
    "Norvik",
    "Blue Harbor",
    "Zentro",
    "Fastlink",
    "Palmetto Bank",
    "Quillon",
    "Orbit Mobile",
    "Tesserra",
    "Lumio",
    "Greenfork",
    "Halden",
    "Vexel",
    "Pinewood",
    "CityBox",
    "Metrolane",
    "Kastor",
    "Brightwell",
    "Yonder",
    "Solstice Energy",
)

_NAMED = 0.5
_PLACE = re.compile(r"\{(\w+)\}")


def made_up_messages(count: int, *, seed: int) -> Iterator[tuple[str, str, str | None]]:
    """Yield `count` texts with their labels and targets, half of them complaints."""
    dice = np.random.default_rng(seed)
    groups = (("negative", _NEGATIVE), ("neutral", _NEUTRAL), ("positive", _POSITIVE))
    choices = {name: text.split("|") for name, text in _PARTS.items()}

    def fill(found: re.Match[str]) -> str:
        words = choices[found[1]]
        return words[dice.integers(len(words))]

    for pick in dice.choice(len(groups), size=count, p=(0.5, 0.3, 0.2)):
        label, forms = groups[pick]
        text = _PLACE.sub(fill, forms[dice.integers(len(forms))])
        if "@user" in text and dice.random() < _NAMED:
            brand = BRANDS[dice.integers(len(BRANDS))]
            yield text.replace("@user", brand, 1), label, brand
        else:
            yield text, label, None
