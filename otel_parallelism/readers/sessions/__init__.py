"""Reads the transcripts that coding agents keep on this machine: one module for each agent."""
