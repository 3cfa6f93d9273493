"""The fault modules are tested as Ansible sees them: inside their collection."""

import tests.unit.plugins.conftest  # noqa: F401 - registers the checkout as the collection holdfast.cluster
