"""Lines as they are compared: what a need asks for, in words, meaning and categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from matchmaking.engine import reading, search
from matchmaking.engine import text as words
from matchmaking.engine.encoder import vectors_of
from matchmaking.engine.naming import bare_name, head_of, name_beside_measures, said_as
from matchmaking.engine.pairs import Pairs
from matchmaking.engine.quantities import Figures
from matchmaking.engine.search import CANDIDATES, DECIMALS
from matchmaking.engine.sparse import (
    Floats,
    Ints,
    Matrix,
    csr,
    product,
    row_sums,
    sublinear,
    times_columns,
    times_rows,
    total,
    unit_rows,
    widened,
    with_data,
)
from matchmaking.engine.stock import Stock, are_chinese, forms_of, leaders_of
from matchmaking.engine.tails import before_head
from matchmaking.engine.types import Need

_VOTE_SHARE = 0.3
# What a line is for tells something of its category, but less than what it asks for.
_AIM_SHARE = np.float32(0.5)
_PURPOSE_HEARD = np.float32(0.3)
# And numbers say of which size the product is, not what it is: other products have the same.
_MEASURES_HEARD = np.float32(0.3)
_PHRASES_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Vote:
    """How many of the nearest texts speak for a line, how much shared words make them near, how fast they fade."""

    voters: int
    words: float
    sharpness: float


# Codes without words are known by their texts alone, so more are asked, and those of the other language too.
_LEAF_VOTE = Vote(voters=10, words=0.3, sharpness=15.0)
_LABEL_VOTE = Vote(voters=30, words=0.15, sharpness=12.0)


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """The nouns that say what short lines ask for.

    Attributes
    ----------
    place
        For each line the row of its noun, -1 for none.
    nouns, vectors
        Each noun and its meaning, in the order of the lines.
    before
        What each line says around its noun; "" where that is the thing itself.
    tokens
        The columns of words by which a text says it.
    """

    place: Ints
    nouns: tuple[str, ...]
    before: tuple[str, ...]
    vectors: Floats
    tokens: Matrix


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Needs as the index reads them; row i of everything belongs to needs[i].

    `near`, `shared` and `covered` run along `found`: likeness of meaning, and what `Stock.shared_words` says of these pairs.
    """

    needs: tuple[Need, ...]
    vectors: Floats
    tfidf: Matrix
    cover: Matrix
    chinese: npt.NDArray[np.bool_]
    found: Pairs
    near: Floats
    shared: Floats
    covered: Floats
    leaf: Matrix
    parent: Matrix
    chain: Matrix
    labels: Matrix
    kin: Floats
    sizes: Floats
    told: npt.NDArray[np.bool_]
    leading: list[int]
    ruled_out: Mapping[int, Floats]
    purposes: Mapping[int, tuple[Floats, Floats]]
    forms: npt.NDArray[np.int8]
    rivals: npt.NDArray[np.bool_]
    figures: Figures
    names: Mapping[int, str]
    heads: Heads


def read(stock: Stock, needs: Sequence[Need], k: int = CANDIDATES) -> Lines:
    """Everything about the needs that pairs are compared by; finds the k nearest texts by meaning and by words."""
    stock.refresh()
    needs = [_as_meant(stock, need) for need in needs]
    spoken = [need.text for need in needs]
    aims = [reading.aim(words.asserted(text))[0] for text in spoken]
    named = _named_beside_measures(stock, needs)
    vectors = _vectors_of_lines(stock, needs, named)
    purposes = _purposes(stock, needs)
    counts = widened(
        stock.vocabulary.counts(spoken, words.tokens, grow=False), len(stock.vocabulary)
    )
    heard = _heard(stock, counts, {row: aims[row] for row in purposes}, _PURPOSE_HEARD)
    heard *= _heard(stock, counts, named, _MEASURES_HEARD)
    tfidf = times_columns(sublinear(counts), stock.idf)
    tfidf.data *= heard
    tfidf = unit_rows(tfidf)
    weight = stock.rarity[counts.indices] * heard
    sums = np.maximum(row_sums(weight, counts.indptr), 1e-9)
    weight = (weight / np.repeat(sums, np.diff(counts.indptr))).astype(np.float32)
    cover = with_data(counts, weight)
    chinese = are_chinese(spoken)
    found, near = search.nearest(stock, needs, vectors, tfidf, k)
    likely = _likely(stock, spoken, aims, vectors, purposes)
    shared, covered = stock.shared_words(tfidf, cover, found)
    votes = _votes(stock, len(needs), near, shared, found, _LEAF_VOTE)
    likely = _with_votes(stock, likely, votes)
    likely = stock.taxonomy.with_given(
        likely, [[need.category] if need.category else [] for need in needs]
    )
    leaf, parent, chain = stock.taxonomy.levels(likely)
    labels = _labelled(stock, needs, vectors, tfidf, near, shared, found)
    rivals = _rivals(stock, needs)
    return Lines(
        tuple(needs),
        vectors,
        tfidf,
        cover,
        chinese,
        found,
        near,
        shared,
        covered,
        leaf,
        parent,
        chain,
        labels,
        _kin(stock, vectors, tfidf),
        _sizes(stock, needs),
        np.array([(need.category or "") in stock.labels for need in needs], np.bool_),
        leaders_of(leaf),
        _ruled_out(stock, needs),
        purposes,
        forms_of(aims),
        rivals,
        Figures.of(aims),
        _names(stock, needs),
        _heads(stock, needs, rivals),
    )


def _as_meant(stock: Stock, need: Need) -> Need:
    """A line of pinyin or of slips is compared by the words that it means, so its kept vector is of no use."""
    text = stock.taxonomy.as_meant(need.text, stock.says)
    return need if text == need.text else replace(need, text=text, vector=None)


def _likely(
    stock: Stock,
    spoken: Sequence[str],
    aims: Sequence[str],
    vectors: Floats,
    purposes: Mapping[int, tuple[Floats, Floats]],
) -> Matrix:
    """p(leaf | line): of one that says what its product is for, half by the product alone."""
    likely = stock.taxonomy.probabilities(spoken, vectors, stock.encoder)
    if not purposes:
        return likely
    rows = list(purposes)
    asked = np.stack([purposes[row][0] for row in rows])
    alone = stock.taxonomy.probabilities([aims[row] for row in rows], asked, stock.encoder)
    keep = np.ones(len(spoken), np.float32)
    keep[rows] = 1 - _AIM_SHARE
    place = csr(
        np.full(len(rows), _AIM_SHARE),
        np.arange(len(rows)),
        np.append(0, np.cumsum(keep < 1)),
        (len(spoken), len(rows)),
    )
    return total(times_rows(likely, keep), product(place, alone))


def _heard(stock: Stock, counts: Matrix, phrases: Mapping[int, str], share: np.float32) -> Floats:
    """How much each count of a line says: of lines with a phrase, what stands beside it has this share."""
    heard = np.ones(len(counts.data), np.float32)
    asked = stock.vocabulary.counts(list(phrases.values()), words.tokens, grow=False)
    for place, row in enumerate(phrases):
        own = slice(counts.indptr[row], counts.indptr[row + 1])
        kept = asked.indices[asked.indptr[place] : asked.indptr[place + 1]]
        heard[own] = np.where(np.isin(counts.indices[own], kept), 1, share)
    return heard


def _named_beside_measures(stock: Stock, needs: Sequence[Need]) -> Mapping[int, str]:
    """What short lines name beside their numbers. Where codes are learned a number tells products of one shop apart."""
    if stock.labels or stock.of_buyers:
        return {}
    found = {number: name_beside_measures(need.text) for number, need in enumerate(needs)}
    return {number: name for number, name in found.items() if name}


def _purposes(stock: Stock, needs: Sequence[Need]) -> Mapping[int, tuple[Floats, Floats]]:
    """Vectors of what lines ask for and of what that is for, by the position of those that say both."""
    aims = {n: reading.aim(words.asserted(need.text)) for n, need in enumerate(needs)}
    said = {number: phrases for number, phrases in aims.items() if phrases[1]}
    vectors = _vectors_of_phrases(stock, [phrase for pair in said.values() for phrase in pair])
    return {number: (vectors[asked], vectors[use]) for number, (asked, use) in said.items()}


def _vectors_of_phrases(stock: Stock, phrases: Sequence[str]) -> Mapping[str, Floats]:
    """Lines of one buyer name the same things again and again."""
    fresh = [phrase for phrase in dict.fromkeys(phrases) if phrase not in stock.phrases]
    read = dict(zip(fresh, stock.encoder.encode(fresh), strict=True))
    found = {
        phrase: read[phrase] if phrase in read else stock.phrases[phrase] for phrase in phrases
    }
    if len(stock.phrases) + len(read) > _PHRASES_KEPT:
        stock.phrases.clear()
    stock.phrases |= read
    return found


def _rivals(stock: Stock, needs: Sequence[Need]) -> npt.NDArray[np.bool_]:
    """For each line the parties that are of no use to it. Among buyers' lines everybody takes."""
    out = np.zeros((len(needs), len(reading.PARTIES)), np.bool_)
    if not stock.of_buyers:
        for number, need in enumerate(needs):
            rivals = reading.rivals_of(need.text)
            out[number] = [party in rivals for party in reading.PARTIES]
    return out


def _vectors_of_lines(stock: Stock, needs: Sequence[Need], named: Mapping[int, str]) -> Floats:
    """A line is compared by what it asks for: what it rules out, tells of its buyer, or says in numbers beside a name
    would draw it to just that."""
    vectors = vectors_of(needs, stock.encoder)
    said = [
        named.get(number) or reading.gist(words.asserted(need.text))[0]
        for number, need in enumerate(needs)
    ]
    cut = [number for number, need in enumerate(needs) if said[number] != need.text]
    if cut:
        vectors[cut] = stock.encoder.encode([said[number] for number in cut])
    return vectors


def _ruled_out(stock: Stock, needs: Sequence[Need]) -> Mapping[int, Floats]:
    """Vectors of what lines rule out, by the line's position."""
    phrases = {number: words.ruled_out(need.text) for number, need in enumerate(needs)}
    spoken = {number: phrase for number, phrase in phrases.items() if phrase}
    return dict(zip(spoken, stock.encoder.encode(list(spoken.values())), strict=True))


def _labelled(
    stock: Stock,
    needs: Sequence[Need],
    vectors: Floats,
    tfidf: Matrix,
    near: Floats,
    shared: Floats,
    found: Pairs,
) -> Matrix:
    if not stock.labels:
        return sp.csr_matrix((len(needs), 0), dtype=np.float32)
    votes = _votes(stock, len(needs), near, shared, found, _LABEL_VOTE)
    return stock.labels.of_lines(votes, vectors, tfidf, [need.category for need in needs])


def _votes(
    stock: Stock, lines: int, near: Floats, shared: Floats, found: Pairs, vote: Vote
) -> Matrix:
    """Shares of the texts nearest to each line; each row sums to 1, or to 0 where nothing is near."""
    shape = lines, len(stock.texts)
    if not len(found):
        return sp.csr_matrix(shape, dtype=np.float32)
    near = np.round(near + vote.words * shared, DECIMALS).astype(np.float32, copy=False)
    first = search.first_of_lines(stock, found.line, found.row, near, vote.voters)
    line, row, near = found.line[first], found.row[first], near[first]
    shares = np.empty(len(line), np.float32)
    count = np.bincount(line, minlength=lines)
    for voters in set(count[count > 0].tolist()):
        own = np.flatnonzero((count == voters)[line]).reshape(-1, voters)
        share = np.exp(vote.sharpness * (near[own] - near[own[:, :1]]))
        shares[own] = share / share.sum(axis=1, keepdims=True)
    order = np.argsort(line * shape[1] + row)
    return csr(shares[order], row[order], np.append(0, np.cumsum(count)), shape)


def _with_votes(stock: Stock, likely: Matrix, votes: Matrix) -> Matrix:
    """Lets the texts nearest to a line say what category it is; they are the words of the trade itself."""
    # A line without any text near it keeps its whole own opinion.
    heard = np.diff(votes.indptr) > 0
    keep = np.where(heard, 1 - _VOTE_SHARE, 1.0).astype(np.float32)
    voted = product(votes, stock.probabilities)
    return total(times_rows(likely, keep), with_data(voted, _VOTE_SHARE * voted.data))


def _names(stock: Stock, needs: Sequence[Need]) -> dict[int, str]:
    """Lines that say one name alone. A list of codes files parts and fittings with the thing, so there none is asked."""
    if stock.labels:
        return {}
    found = {number: bare_name(need.text) for number, need in enumerate(needs)}
    return {number: name for number, name in found.items() if name}


def _heads(stock: Stock, needs: Sequence[Need], rivals: npt.NDArray[np.bool_]) -> Heads:
    """Nouns of lines that buy; who takes what is sold names its own trade. As of names, none where codes are learned."""
    sells = rivals[:, reading.PARTIES.index("")].tolist()
    found = [
        "" if stock.labels or stock.of_buyers or given else head_of(need.text)
        for need, given in zip(needs, sells, strict=True)
    ]
    named = np.array([bool(noun) for noun in found], np.bool_)
    nouns = tuple(filter(None, found))
    vectors = _vectors_of_phrases(stock, nouns)
    asked = [need.text for need, noun in zip(needs, found, strict=True) if noun]
    tokens = stock.vocabulary.counts(asked, said_as, grow=False)
    return Heads(
        np.where(named, np.cumsum(named) - 1, -1),
        nouns,
        tuple(map(before_head, asked, nouns)),
        np.array([vectors[noun] for noun in nouns], np.float32),
        widened(tokens, len(stock.vocabulary)),
    )


def _kin(stock: Stock, vectors: Floats, tfidf: Matrix) -> Floats:
    if not stock.kinship:
        return np.empty((len(vectors), 0), np.float32)
    return stock.kinship.turned(vectors, tfidf)


def _sizes(stock: Stock, needs: Sequence[Need]) -> Floats:
    """Words of each line, two Chinese characters as one; only codes without words ask for them."""
    if not stock.labels:
        return np.zeros(len(needs), np.float32)
    tokens = [words.short_tokens(need.text) for need in needs]
    return np.array(
        [sum(1.0 if one[0].isascii() else 0.5 * (len(one) == 1) for one in row) for row in tokens],
        np.float32,
    )
