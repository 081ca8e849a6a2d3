"""A pretend App Store: users, their phones and Apple, with test keys, and the truth about them.

    scenario   what the world is like, from YAML
    world      who installs what, where the ad was
    lives      what they do in the app
    device     the values their phones hold
    crowd      how much Apple then tells: tiers
    apple      postbacks: what is in them, and when they are sent
    arrivals   copies, repetitions, forwarders: what a server receives
    adversary  what others send, off by default
    bodies     rows become signed bytes
    truth      all of it as Parquet

Whole columns at a time (numpy), a day of installs after the other, each with random numbers of
its own: the same scenario, seed and keys give the same bytes on any number of processes.
"""
