# SPDX-License-Identifier: Apache-2.0
"""Runs every check of docs/PROTOCOL.md: python3 docs/checks/run.py"""
import cosines
import functions
import products
import ranges
import views

for check in (products, views, ranges, functions, cosines):
    check.main()
