"""A campaign: faults of the catalogue drawn by a seed, one after another and some at once, under one continuous watch.

``draws.yml``  which runbooks give faults, how often, and how long each is left alone before it is undone
``draw``       from a seed to the list of rounds (pure)
``driver``     plays the rounds; after each the cluster must be in service again, or the campaign stops
``rounds``     what happened in each round, from the journal and the records (pure)
``checks``     the invariants over all of it, each round with what its faults allow (pure)
``figures``    outages by kind: median, percentile, maximum (pure)
``write``      verdict.json, campaign.json, JUnit XML, Markdown
``cli``        the command line
"""
