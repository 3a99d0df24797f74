"""What reads as a machine's answer, and what people write that only looks like it."""

import pytest

from conversations import machines


@pytest.mark.parametrize(
    "body",
    [
        "This is an automated message. Please call the office.",
        "AUTO-REPLY: I'm driving and will see this later",
        "I’m currently away from my desk until Monday.",
        "I am out of the office",
        "Do not reply to this number, it is not monitored",
        "Thank you for contacting Acme! Our team will get back to you within 24 hours.",
        "Thanks for texting us. We are currently closed.",
        "Your message has been received.",
        "Respuesta automática: estoy conduciendo",
        "Mensaje automático. No responda a este número.",
        "Gracias por comunicarse con nosotros",
        "Réponse automatique : je suis absente du bureau",
        "Merci pour votre message, ne pas répondre à ce numéro",
    ],
)
def test_a_machine(body: str) -> None:
    assert machines.wrote(body)


@pytest.mark.parametrize(
    "body",
    [
        "Are you open?",
        "Thank you!",
        "I got your message, see you Monday",
        "Please reply as soon as you can",
        "My automatic door is broken",
        "Can I come to the office at 9?",
        "Gracias, hasta mañana",
        "Merci beaucoup",
        "I was driving when you called",
        "",
    ],
)
def test_a_person(body: str) -> None:
    assert not machines.wrote(body)
