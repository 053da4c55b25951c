import sys

from benchmarks.ablation.study import main

sys.exit(main())
