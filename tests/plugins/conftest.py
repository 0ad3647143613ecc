"""The files beside this one are plugins, imported as a user's would be: under a name of their own, by the study."""

collect_ignore_glob = ["*.py"]  # doctests would import, and so register, them a second time
