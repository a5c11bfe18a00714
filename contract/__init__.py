"""All that crosses AMQP between the controller and the agents, as typed, versioned structs.

Imports nothing else of the project. The controller and the agents import this and nothing of each other.
"""
