import keras
from keras import layers

x = keras.Input(shape=(7,), name="features")
h = layers.Dense(16, activation="elu")(x)
price = layers.Dense(1, name="price")(h)
sold = layers.Dense(1, activation="sigmoid", name="sold")(h)
model = keras.Model(inputs=x, outputs=[price, sold])
model.compile(
    optimizer="adam",
    loss={"price": "mse", "sold": keras.losses.BinaryCrossentropy()},
    loss_weights={"price": 1.0, "sold": 0.2},
)
model.fit(data, {"price": prices, "sold": solds}, epochs=4)
