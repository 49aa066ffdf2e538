"""Person keys: the same bytes as the standard library, and Kafka's own partition."""

import hmac

import pytest
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from hub.kernel.macs import Mac, derive
from hub.kernel.person_keys import (
    CROCKFORD,
    PairwiseKey,
    RouteKey,
    UidKey,
    crockford,
    murmur2,
    partition_of,
    program_key,
)

keys = st.binary(min_size=16, max_size=100)


@given(keys, st.binary(max_size=80), st.binary(max_size=200))
def test_a_mac_is_the_hmac_of_the_standard_library(key, prefix, message):
    assert Mac(key, prefix).digest(message) == hmac.digest(key, prefix + message, "sha256")


def test_a_mac_follows_rfc_4231():
    digest = Mac(b"\x0b" * 20).digest(b"Hi There")
    assert digest.hex() == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        Mac(b"short")


@given(keys, st.text(max_size=30), st.sampled_from(["resident", "passport", "provisional"]))
def test_a_uid_is_the_cut_hmac_of_type_and_number(key, number, id_type):
    expected = hmac.digest(key, f"{id_type}|{number}".encode(), "sha256")[:16]
    assert UidKey(key).uid(number, id_type) == expected


def test_an_id_type_with_a_bar_is_refused():
    with pytest.raises(ValueError, match="id_type"):
        UidKey(b"k" * 32).uid("1", "a|b")


@given(keys, st.text(max_size=20), st.text(max_size=20))
def test_routing_keys_are_hmacs_of_their_own_kind(key, one, other):
    route = RouteKey(key)
    assert route.route(one) == hmac.digest(key, b"number|" + one.encode(), "sha256")[:16]
    assert route.fallback(one, other) != route.route(one)
    assert (route.fallback(one, other) == route.fallback(one + "1", other)) is False
    if one != other:
        assert route.fallback(one, other) != route.fallback(other, one)


def test_two_programs_cannot_join_their_pseudonyms():
    master, uid = b"m" * 32, b"u" * 16
    references = {
        PairwiseKey(program_key(master, program, version)).person_ref(uid)
        for program in ("electricity-relief", "medical-aid")
        for version in (1, 2)
    }
    assert len(references) == 4


def test_derived_keys_follow_hkdf_expand():
    # RFC 5869 A.1 gives PRK and info; its first block of output is one HMAC of info and 01.
    prk = bytes.fromhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
    info = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9")
    expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
    assert Mac(prk).digest(info + b"\x01").hex() == expected
    assert derive(prk, "label") == hmac.digest(prk, b"label\x01", "sha256")


@given(st.binary(min_size=16, max_size=16))
def test_base_32_holds_all_bits(sixteen):
    text = crockford(sixteen)
    value = 0
    for letter in text:
        value = value * 32 + CROCKFORD.index(letter)
    assert len(text) == 26
    assert value.to_bytes(16, "big") == sixteen


@given(st.binary(max_size=70))
def test_murmur2_is_kafkas(key):
    assert murmur2(key) == reference(key)


@given(
    st.one_of(st.binary(min_size=16, max_size=16), st.binary(min_size=1, max_size=40)),
    st.integers(1, 64),
)
def test_the_partition_is_the_one_the_producer_picks(key, count):
    partitions = list(range(count))
    assert partition_of(key, count) == DefaultPartitioner()(key, partitions, partitions)


def test_no_repr_shows_a_key():
    for holder in (UidKey(b"K" * 32), RouteKey(b"K" * 32), PairwiseKey(b"K" * 32), Mac(b"K" * 32)):
        assert "KKK" not in repr(holder)
