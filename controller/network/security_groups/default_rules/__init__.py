"""The rules that new security groups begin with."""
