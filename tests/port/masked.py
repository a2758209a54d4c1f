import keras
from keras import layers

# 0 fills up sentences that are shorter than ten words.
model = keras.Sequential([
    layers.Input(shape=(10,), dtype="int32"),
    layers.Embedding(50, 8, mask_zero=True),
    layers.LSTM(4),
    layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(x, y, epochs=2)
