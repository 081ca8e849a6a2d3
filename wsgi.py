from skan_receiver.web import create_app

app = create_app()
