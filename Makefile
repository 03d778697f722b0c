.PHONY: run test check bench

run: ; @sh .ci/start
test: ; @sh .ci/test
check: ; @sh .ci/check
bench: ; @sh .ci/bench
