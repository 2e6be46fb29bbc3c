import fastapi
import gradio


def greet(name):
    return "Hello, " + name


demo = gradio.Interface(fn=greet, inputs="text", outputs="text", api_name="greet", title="A demonstration")
app = gradio.mount_gradio_app(fastapi.FastAPI(), demo, path="/demo")
