# SPDX-License-Identifier: Apache-2.0
"""Runs every check of docs/PROTOCOL.md: python3 docs/checks/run.py"""
import cosines
import functions
import ot
import products
import ranges
import views
from malicious import proofs, rounding

for check in (products, ot, views, ranges, functions, cosines, rounding, proofs):
    check.main()
