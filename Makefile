.PHONY: run afresh test check bench torture

run: ; @sh .ci/start
afresh: ; @sh .ci/afresh
test: ; @sh .ci/test
check: ; @sh .ci/check
bench: ; @sh .ci/bench
torture: ; @sh .ci/torture
