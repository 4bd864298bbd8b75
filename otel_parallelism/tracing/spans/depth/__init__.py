"""Lets decorated functions call one another as deeply as they could undecorated."""
