"""Tests of the documentation: links, commands, examples and tables are as the product is."""
