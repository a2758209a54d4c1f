from keras.layers import Input, Dense, Subtract, Concatenate
from keras.models import Model

left = Input(shape=(6,))
right = Input(shape=(6,))
encode = Dense(12, activation='tanh')
a = encode(left)
b = encode(right)
difference = Subtract()([a, b])
merged = Concatenate()([a, b, difference])
same = Dense(1, activation='sigmoid')(merged)
model = Model([left, right], same)
model.compile('rmsprop', 'binary_crossentropy', ['accuracy'])
model.fit([l, r], y, epochs=30, batch_size=16)
