"""What language models are asked about a text: one prompt, with one example."""

from __future__ import annotations

INSTRUCTION = (
    "Name what the text is about and what is notable in its language: up to eight descriptors, "
    "each a phrase of one to four words in lower case. Answer with a JSON list of strings and "
    "nothing else."
)
EXAMPLE_TEXT = "Last spring the two sisters sold their bakery and moved to the coast."
EXAMPLE_ANSWER = (
    '["family", "small business", "moving house", "seaside", "season of the year", "past events"]'
)
"""One example, as in Mondal et al. (2024), who asked FLAN-T5 and Pythia."""

NEXT_TEXT = "\n\nText:"
"""Where a model without a chat template begins to make up another text."""


def chat(text: str) -> list[dict[str, str]]:
    """The prompt as messages, for models that are trained for conversations."""
    return [
        {"role": "user", "content": _question(EXAMPLE_TEXT)},
        {"role": "assistant", "content": EXAMPLE_ANSWER},
        {"role": "user", "content": _question(text)},
    ]


def plain_prompt(text: str) -> str:
    """The prompt as one text, which the answer continues."""
    return (
        f"{_question(EXAMPLE_TEXT)}\nDescriptors: {EXAMPLE_ANSWER}"
        f"{NEXT_TEXT} {_one_line(text)}\nDescriptors:"
    )


def _question(text: str) -> str:
    return f"{INSTRUCTION}{NEXT_TEXT} {_one_line(text)}"


def _one_line(text: str) -> str:
    """Half a surrogate pair, which no tokenizer reads and nobody can send, is a question mark."""
    return " ".join(text.encode(errors="replace").decode().split())
