"""Stands for a program whose output a person reviews."""
import sys

print('the report of', sys.argv[1])
