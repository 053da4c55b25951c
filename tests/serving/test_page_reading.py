"""What is drawn on the page in a real browser is read as Python reads it."""

import numpy as np
import pytest
from visits import FOUR, ONE, SCRIBBLE, SEVEN, Visit, number, spoken

from benchmarks.harness import browser as browsing
from benchmarks.harness.browser import draw
from digits import bundle
from digits.layout.segmentation import Fragment
from digits.pictures.box import Box
from digits.reading.lines import decoding
from digits.reading.lines.judging import in_context, judge
from digits.reading.lines.line_reading import Written
from digits.reading.recogniser import Answer, Recogniser
from digits.runtime import Model


def test_what_is_written_is_shown(visit: Visit) -> None:
    page = visit()
    five = [(50, 40), (46, 100), (90, 100), (100, 140), (70, 180), (40, 170)]
    left = [(90, 40), (60, 60), (50, 110), (60, 160), (92, 180)]
    right = [(90, 40), (120, 60), (130, 110), (120, 160), (90, 180)]
    above = [[(50, 20), (48, 100)], [(90, 20), (140, 20), (100, 100)]]
    below = [[(50, 140), (100, 140), (60, 230)], [(130, 140), (128, 230)]]
    three = [(60, 60), (110, 55), (115, 85), (80, 110), (120, 130), (115, 170), (60, 180)]
    one = [(190, 60), (187, 180)]
    turn = np.linspace(0, -2 * np.pi, 17)
    zeros = [(x + 38 * np.sin(t), 110 - 60 * np.cos(t)) for x in (90, 200) for t in turn]
    for strokes, expected in (
        ([five, [(52, 40), (105, 38)]], "5"),  # the roof comes last
        ([[(x, 40), (x, 180)] for x in (50, 75, 100)], "111"),  # close together
        ([left, right], "0"),
        (above + below, "17\n71"),
        ([zeros], "00"),  # in one stroke
        ([three, [(150, 178)], one], "3.1"),  # the point is a tap
        ([[(10, 125), (34, 124)], three, [(250, 40), (170, 200)], *ONE], "-3/1"),
        ([*ONE, [(500, 60), (498, 190)]], "1 1"),
        ([*ONE, *SEVEN, *FOUR], "741"),  # not written in reading order
    ):
        draw(page, strokes, steps=3)
        assert number(page) == expected
        assert spoken(page).startswith(f"Read: {expected.replace(chr(10), '; ')}.")
        page.keyboard.press("Escape")


def test_answers_match_those_of_python(visit: Visit) -> None:
    page = visit()
    golden = np.load(bundle.SHIPPED / "golden.npz")
    answers = browsing.ask(page, golden["canvas_input"])
    found = np.array([answer["probabilities"] for answer in answers])
    # The page's weights are rounded to whole numbers of a step.
    assert np.abs(found - golden["canvas_probabilities"]).max() < 5e-4
    accepted = golden["canvas_is_digit"] >= bundle.read().threshold
    assert [answer["accepted"] for answer in answers] == accepted.tolist()
    assert {True, False} == {*accepted.tolist()}


def test_strips_of_every_width_are_read_as_in_python(visit: Visit) -> None:
    page = visit()
    model = Model(bundle.read().model)
    small = [[(x // 2, y // 2) for x, y in stroke] for stroke in SEVEN]
    lines = [
        [stroke for i in range(count) for stroke in moved(small, 40 * i)] for count in (1, 4, 7, 11)
    ]
    strips = [*np.load(bundle.SHIPPED / "golden.npz")["line_input"]]
    for strokes in lines:
        draw(page, strokes)
        strips.append(np.array(page.evaluate(STRIP), np.uint8).reshape(32, -1))
        page.keyboard.press("Escape")
    assert {strip.shape[1] for strip in strips} == {*bundle.LINE_WIDTHS.values()}
    for strip in strips:
        found = np.array(page.evaluate(OUTPUTS, strip.ravel().tolist())).reshape(-1, 21)
        whole = np.pad(strip, ((0, 0), (0, 192 - strip.shape[1])))
        expected = model.run("line", whole)["log_probabilities"][0][: len(found)]
        symbols = [[one.symbol for one in decoding.greedy(of)] for of in (found, expected)]
        assert symbols[0] == symbols[1]
        assert np.abs(np.exp(found) - np.exp(expected)).sum(axis=1).mean() / 2 < 0.005


def moved(strokes: list[list[tuple[int, int]]], right: int) -> list[list[tuple[int, int]]]:
    return [[(x + right, y) for x, y in stroke] for stroke in strokes]


OUTPUTS = (
    f"async (strip) => [...await (await ({browsing.MAIN}).ready).line(Uint8Array.from(strip))]"
)
STRIP = f"""async () => {{
  const main = {browsing.MAIN};
  const of = (name) => import({browsing.CANVAS_URL}.replace("canvas.js", `lines/${{name}}.js`));
  const [line] = (await of("lines")).inLines(main.strokes());
  return [...(await of("strips")).stripOf(line).image];
}}"""


def test_lines_are_decoded_and_judged_as_in_python(visit: Visit) -> None:
    page = visit()
    model = Model(bundle.read().model)
    recogniser = Recogniser(model, model, bundle.read().threshold)
    dash, seven = [(20, 120), (34, 121)], moved(SEVEN, 60)
    for strokes in ([*seven, *FOUR, *ONE], [dash, *FOUR, [(243, 189)], *ONE], SCRIBBLE, ONE):
        draw(page, strokes, steps=2)
        found = page.evaluate(LINE)
        output = np.array(found["outputs"], np.float32).reshape(-1, 21)
        expected = decoding.plausible(decoding.greedy(output))
        assert [one["symbol"] for one in found["characters"]] == [one.symbol for one in expected]
        for mine, theirs in zip(found["characters"], expected, strict=True):
            assert mine["column"] == pytest.approx(theirs.step * decoding.STEP, abs=1e-3)
            assert mine["presence"] == pytest.approx(theirs.presence, abs=1e-3)
            assert np.abs(np.array(mine["probabilities"]) - theirs.probabilities).max() < 1e-3
        written = []
        for part in found["parts"]:
            theirs = expected[part["at"]]
            outputs = model.run("canvas", np.array(part["canvas"], np.uint8).reshape(256, 256))
            answer = Answer.of(outputs, np.zeros((256, 256), np.uint8))
            digits = theirs.probabilities[:10]
            line = digits / digits.sum()
            presence = float(digits.sum()) * theirs.presence
            written.append(Written(theirs.symbol, NOTHING, line, presence, answer, 1.0))
        opinions = judge(written, recogniser)
        (judged,) = in_context([opinions])
        for mine, opinion in zip(found["judged"], judged, strict=True):
            assert opinion
            assert mine["logOdds"] == pytest.approx(opinion.log_odds, abs=0.02)
            assert np.abs(np.array(mine["probabilities"]) - opinion.probabilities).max() < 1e-3
        page.keyboard.press("Escape")


NOTHING = Fragment(Box(0, 0, 0, 0), np.zeros((0, 0), np.uint8))
# What the page's own modules make of all that is drawn: a line.
LINE = f"""async () => {{
  const main = {browsing.MAIN};
  const of = (name) => import({browsing.CANVAS_URL}.replace("canvas.js", `${{name}}.js`));
  const {{ inLines }} = await of("lines/lines");
  const {{ stripOf, windowsOf }} = await of("lines/strips");
  const {{ greedy, plausible }} = await of("lines/decoding");
  const {{ shared }} = await of("lines/characters");
  const {{ judged, ofLine }} = await of("lines/judging");
  const {{ ofStrokes }} = await of("canvas");
  const reader = await main.ready;
  const [line] = inLines(main.strokes());
  const strip = stripOf(line);
  const outputs = await reader.line(windowsOf(strip)[0].image);
  const characters = plausible(greedy(outputs));
  const parts = [];
  const opinions = [];
  for (const {{ character, strokes }} of shared(line, strip, characters)) {{
    const canvas = ofStrokes(strokes);
    parts.push({{ canvas: [...canvas], at: characters.indexOf(character) }});
    opinions.push({{ ...ofLine(character), answer: await reader.read(canvas), cut: false }});
  }}
  const own = judged(opinions, opinions.length === 1, false);
  return {{ outputs: [...outputs], characters, parts, judged: own }};
}}"""
