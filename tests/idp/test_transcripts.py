"""Recorded conversations of identity providers, played against a running site.

The sites of tests/sites play them too, without a server between.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.idp.replay import Player
from tests.serving import Server

pytestmark = pytest.mark.idp

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.json"))


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_an_identity_provider_gets_the_answers_it_needs(
    transcript: Path, example_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server = example_server
    tenant = server.connect(f"{transcript.stem} {secrets.token_hex(4)}")
    player = Player(
        tenant["base_url"],
        tenant["access_key"],
        prefix=server.site.prefix,
        lacking=server.site.lacking,
    )
    results = list(player.play(transcript))
    with capsys.disabled():
        for result in results:
            if result.level == "should" and result.problems:
                print(f"\n{transcript.stem} on {server.site}: {result}")
    failures = [str(result) for result in results if result.failed]
    assert not failures, "\n".join([f"{len(failures)} of {len(results)} steps failed:", *failures])
