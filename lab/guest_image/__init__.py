"""Builds ``cumulet-guest``, the small image that boots in seconds, from Debian packages only.

``packages.py`` fetches and unpacks, ``tree.py`` puts the guest's root together, ``disk.py`` makes the
bootable disk of it, ``build.py`` is the command. The guest's own files are under ``rootfs/``.
"""
