"""Whether a text reads as if a machine had answered. Pure: no Django.

Only used to keep our own machine quiet: taking a person for one costs a courtesy, never an answer, so it errs that way.
"""

import re
import unicodedata

PHRASES = (
    # English
    r"auto(matic|mated|matically)?[ -]?(reply|response|responder|message|generated|text)",
    r"this is an? auto",
    r"out of (the |my )?office",
    r"(do not|don'?t|cannot|can'?t) (reply|respond) to this",
    r"no-?reply|no reply (number|line|address|message|text|service)",
    r"(mailbox|inbox|number|line) is (not|un)[ -]?(monitored|attended)",
    r"(i'?m|i am) (currently )?(driving|away from|on vacation|on leave|in a meeting)",
    r"(your )?(message|text) (has been|was) received",
    r"thank(s| you) for (contacting|texting|messaging|reaching out to|your message)",
    r"(we|our office|our team) (are|is) (currently |now )?(closed|unavailable|away)",
    r"will (get back to|respond to|reply to) you (as soon as|when|during|within|shortly)",
    r"(delivery|undeliver\w+) (failed|failure|notification|report|message)",
    # Spanish
    r"(respuesta|mensaje|contestacion) automatic[ao]",
    r"fuera de (la |mi )?oficina",
    r"no (responda|respondas|conteste|contestes) (a )?este",
    r"gracias por (contactar|comunicarse|escribirnos|su mensaje|tu mensaje)",
    r"estoy (conduciendo|manejando)",
    # French
    r"(reponse|message) automatique",
    r"absente? du bureau",
    r"ne pas repondre a ce",
    r"merci (de nous avoir contactes?|pour votre message)",
    r"je (conduis|suis au volant)",
)
AUTOMATIC = re.compile("|".join(PHRASES))


def wrote(body: str) -> bool:
    """Whether a machine may have written this."""
    return AUTOMATIC.search(folded(body)) is not None


def folded(body: str) -> str:
    plain = unicodedata.normalize("NFKD", body).casefold().replace("’", "'")
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())
