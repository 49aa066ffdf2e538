from __future__ import annotations

from hub.sdk.programs.memories import Memory


def test_ids_are_known_after_a_restart(tmp_path):
    path = tmp_path / "ids"
    memory = Memory(path)
    memory.add("a")
    memory.add("a")
    memory.add("b")
    assert path.read_text().splitlines() == ["a", "b"]
    assert "b" in Memory(path)
    assert "c" not in Memory(path)


def test_the_oldest_ids_are_forgotten_first(tmp_path):
    path = tmp_path / "ids"
    memory = Memory(path, limit=3)
    for number in range(10):
        memory.add(str(number))
    assert [n for n in range(10) if str(n) in memory] == [7, 8, 9]
    again = Memory(path, limit=3)
    assert [n for n in range(10) if str(n) in again] == [7, 8, 9]
    assert path.read_text().splitlines() == ["7", "8", "9"]
