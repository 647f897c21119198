"""Stands for a program that collects something; exit code 0 means that it is there."""
import os

print('collected for', os.environ['DATE'])
