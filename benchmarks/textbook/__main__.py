from benchmarks.textbook.network import main

main()
