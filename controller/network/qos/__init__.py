"""Quality of service: policies, their rules, and what they are laid on."""
