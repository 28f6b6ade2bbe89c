# Read by run.sh's last check: a misspelled component.
find_package(skein CONFIG REQUIRED COMPONENTS wroker)
