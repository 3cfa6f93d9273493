"""Documentation: reference pages that the code writes, and the site that is built from docs/.

``reference``  one function per generated page; ``pages`` lists them and compares them with what is committed
``site``       what Sphinx needs: settings, style, drawings in the page's own colours
``build``      from docs/ to build/site, strictly and offline
``cli``        ``holdfast docs …``
"""
