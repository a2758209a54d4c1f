import keras
from keras.layers import Input, Dense, concatenate
from keras.models import Model
from keras import regularizers

wide = Input(shape=(8,), name="wide")
deep = Input(shape=(5,), name="deep")
h = Dense(30, activation="relu", kernel_regularizer=regularizers.l2(0.01))(deep)
h = Dense(30, activation="relu")(h)
both = concatenate([wide, h])
out = Dense(1)(both)
model = Model(inputs=[wide, deep], outputs=out)
model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True, clipnorm=1.0))
model.fit([x_wide, x_deep], y, epochs=20)
