import sys

from benchmarks.fill.pages import main

sys.exit(main())
