"""Hashes, and the memory of passwords that were right."""

from controller.identity.passwords import Passwords


def test_right_and_wrong() -> None:
    passwords = Passwords(4, 10)
    stored = passwords.hashed("pw")
    assert stored != passwords.hashed("pw")
    assert passwords.is_right("pw", stored, may_remember=False)
    assert not passwords.is_right("other", stored, may_remember=True)
    assert not passwords.is_right("pw", None, may_remember=True)


def test_memory_is_bounded_and_only_of_what_was_right() -> None:
    passwords = Passwords(4, 2)
    for number in range(4):
        stored = passwords.hashed(str(number))
        assert passwords.is_right(str(number), stored, may_remember=True)
        assert passwords.is_right(str(number), stored, may_remember=True)
        assert not passwords.is_right("x", stored, may_remember=True)
        assert len(passwords._right) <= 2


def test_memory_holds_no_password() -> None:
    passwords = Passwords(4, 2)
    passwords.is_right("plain", passwords.hashed("plain"), may_remember=True)
    assert b"plain" not in b"".join(passwords._right)
