# SPDX-License-Identifier: GPL-2.0-or-later
"""The subcommands of scripts/lab, one module each: DESCRIPTION, EPILOG, add_options(), main()."""
