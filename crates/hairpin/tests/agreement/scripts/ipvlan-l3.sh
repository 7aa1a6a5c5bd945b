# needs: uml
# runs: by bash alone
# with: ipvlan-each-flag.part
# What each device sees of ipvlans in mode l3, with each flag.
each_flag l3
