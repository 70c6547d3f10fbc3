"""neops_base/echo."""

from blocks_support import run_block

from blocks.echo import Echo, EchoParams, EchoResult


async def test_it_gives_back_the_text() -> None:
    result = await run_block(Echo(), EchoParams(text="Grüezi  "))
    assert (result.success, result.data) == (True, EchoResult(text="Grüezi  "))


async def test_it_gives_it_back_in_capitals_when_asked() -> None:
    result = await run_block(Echo(), EchoParams(text="grüezi", upper=True))
    assert result.data == EchoResult(text="GRÜEZI")
