from keras import layers, Model, Input
import numpy as np

x_train = np.load("pictures.npy")

encoder_input = Input(shape=(28, 28, 1), name="img")
x = layers.Conv2D(16, 3, activation="relu")(encoder_input)
x = layers.Conv2D(32, 3, activation="relu")(x)
x = layers.MaxPooling2D(3)(x)
encoder_output = layers.GlobalMaxPooling2D()(x)
encoder = Model(encoder_input, encoder_output, name="encoder")

x = layers.Reshape((4, 4, 2))(encoder_output)
x = layers.Conv2DTranspose(16, 3, activation="relu")(x)
x = layers.UpSampling2D(3)(x)
x = layers.Conv2DTranspose(16, 3, activation="relu")(x)
x = layers.ZeroPadding2D(4)(x)
decoder_output = layers.Conv2D(1, 3, activation="sigmoid", padding="same")(x)

autoencoder = Model(encoder_input, decoder_output, name="autoencoder")
autoencoder.compile(optimizer="adam", loss="binary_crossentropy", metrics=["mae"])
autoencoder.fit(x_train, x_train, epochs=10, batch_size=128, shuffle=True)
