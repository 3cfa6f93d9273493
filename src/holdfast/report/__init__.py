"""The drill's report: one self-contained HTML page.

``lanes``    from a history to lanes and segments (pure)
``drawing``  from lanes to SVG (pure)
``story``    from a history and a judgement to the words and numbers of the page (pure)
``render``   the page
"""
