"""What runs in the process of one university, on the database and in the folder that the environment names."""

import os

import django

from ngshare_site import data_folder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ngshare_site.settings")
data_folder.prepare()
django.setup()
