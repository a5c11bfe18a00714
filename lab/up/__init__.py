"""The whole cloud on this machine: ``make up``, ``make down``, ``make demo``.

Needs nothing but Python's own library, because it also makes the virtual environment. ``plan.py`` is the
table of contents: the steps, and what each waits for. One file knows one part: ``database``, ``broker``,
``hypervisor``, ``switch``, ``targets``, ``services``, ``environment``.
"""
