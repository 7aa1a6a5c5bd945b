# needs: uml
# runs: by bash alone
# with: ipvlan-each-flag.part
# covers: traffic ipvlan
# What each device sees of ipvlans in mode l2, with each flag.
each_flag l2
