"""What an operator looks at: ``controller-manage status``, ``timeline`` and ``why``. They change nothing."""
