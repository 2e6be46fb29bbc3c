SECRET_KEY = "of the gallery, which nobody reaches"
SQLALCHEMY_DATABASE_URI = "sqlite:////var/lib/our-superset/superset.db"
