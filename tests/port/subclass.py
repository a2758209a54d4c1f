import tensorflow as tf
import pandas as pd

df = pd.read_csv("wine.csv", sep=";")
x, y = df.drop("quality", axis=1), df["quality"]

class Wine(tf.keras.Model):
    def __init__(self, units=20):
        super().__init__()
        self.norm = tf.keras.layers.LayerNormalization()
        self.h1 = tf.keras.layers.Dense(units, activation=tf.nn.relu)
        self.h2 = tf.keras.layers.Dense(units, activation="relu")
        self.out = tf.keras.layers.Dense(1)

    def call(self, inputs, training=False):
        x = self.norm(inputs)
        x = self.h1(x)
        x = x + self.h2(x)
        return self.out(x)

model = Wine()
model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=1e-2), loss="mse", metrics=["mae"])
model.fit(x, y, epochs=100, validation_split=0.2, callbacks=[tf.keras.callbacks.ReduceLROnPlateau(patience=4)])
