from tensorflow import keras
from tensorflow.keras import layers

def block(x, filters, activation="relu"):
    shortcut = x
    x = layers.Conv2D(filters, 3, padding="same", activation=activation)(x)
    x = layers.Conv2D(filters, 3, padding="same")(x)
    x = layers.add([x, shortcut])
    return layers.Activation(activation)(x)

def build():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(16, 3, activation="relu")(inputs)
    for filters in [16, 16]:
        x = block(x, filters)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(10)(x)
    return keras.Model(inputs, outputs)

model = build()
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["acc"],
)
model.fit(x_train, y_train, batch_size=64, epochs=5, validation_split=0.2)
