.PHONY: run test check bench torture

run: ; @sh .ci/start
test: ; @sh .ci/test
check: ; @sh .ci/check
bench: ; @sh .ci/bench
torture: ; @sh .ci/torture
