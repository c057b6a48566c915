from simcity.cli import app

app()
